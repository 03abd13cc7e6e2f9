"""Alembic's environment: runs revisions on the connection that `matinee.storage.migrations.upgrade` hands over."""

from alembic import context

from matinee.storage.metadata import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
