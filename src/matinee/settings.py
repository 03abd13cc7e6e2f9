"""Every setting, read once from the environment. Nothing else in Matinee reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from matinee.errors import SettingsProblem


def _setting(variable: str, help_text: str) -> dict[str, str]:
    """Metadata of one setting: its environment variable and the line that the reference page shows."""
    return {"variable": variable, "help": help_text}


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Build with `Settings.from_environment`; tests build them directly."""

    home: Path = field(
        default=Path(".matinee"),
        metadata=_setting("MATINEE_HOME", "Folder for metadata, objects and logs; made when missing."),
    )
    database_url: str | None = field(
        default=None,
        metadata=_setting("MATINEE_DATABASE_URL", "SQLAlchemy URL of the metadata; default SQLite in MATINEE_HOME."),
    )
    store_url: str | None = field(
        default=None,
        metadata=_setting("MATINEE_STORE_URL", "Where objects live: `file:///…` or `s3://…`; default MATINEE_HOME."),
    )
    redis_url: str | None = field(
        default=None,
        metadata=_setting("MATINEE_REDIS_URL", "Redis for several processes: `redis://` or `rediss://`."),
    )
    datasets: tuple[Path, ...] = field(
        default=(),
        metadata=_setting("MATINEE_DATASETS", "Folders, separated by `:`, in which data sets are looked for."),
    )
    file_roots: tuple[Path, ...] = field(
        default=(),
        metadata=_setting("MATINEE_FILE_ROOTS", "Folders, separated by `:`, that `file://` may reach; default any."),
    )
    account_id: str = field(
        default="123456789012",
        metadata=_setting("MATINEE_ACCOUNT", "Account of callers that are not told apart by access key; 12 digits."),
    )
    threads: int = field(
        default=1,
        metadata=_setting("MATINEE_THREADS", "Threads that one training may use; more only pay on idle cores."),
    )
    aws_quotas: bool = field(
        default=False,
        metadata=_setting("MATINEE_AWS_QUOTAS", "1: the service's own quotas; default generous ones."),
    )
    auto_training: bool = field(
        default=True,
        metadata=_setting(
            "MATINEE_AUTO_TRAINING",
            "on or off: train solutions with automatic training, and recommenders, by their schedules; the first "
            "training comes an hour after a solution was made, as at the service.",
        ),
    )
    keep_versions: int = field(
        default=0,
        metadata=_setting(
            "MATINEE_KEEP_VERSIONS",
            "How many ACTIVE versions of a solution are kept. When one more becomes ACTIVE, older ones that no "
            "campaign and no unfinished batch job uses are deleted with their artifacts: Describe then answers "
            "ResourceNotFoundException. 0: all are kept.",
        ),
    )
    check_roles: str = field(
        default="auto",
        metadata=_setting(
            "MATINEE_CHECK_ROLES",
            "auto, always or never: check that a job's role and its bucket let the service reach the data; "
            "auto: when AWS_ENDPOINT_URL_IAM is set.",
        ),
    )
    iam_endpoint_url: str | None = field(
        default=None,
        metadata=_setting("AWS_ENDPOINT_URL_IAM", "Where IAM answers for role checks; default as boto3 finds it."),
    )
    log_level: str = field(
        default="INFO",
        metadata=_setting("MATINEE_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR."),
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `environment` (default: the process's own).

        Raises `SettingsProblem` naming the variable when a value cannot be used.
        """
        env = os.environ if environment is None else environment
        given = {f.name: env[f.metadata["variable"]] for f in fields(cls) if env.get(f.metadata["variable"])}
        account = given.get("account_id", cls.account_id)
        if not (len(account) == 12 and account.isdigit()):
            raise SettingsProblem(f"MATINEE_ACCOUNT must be 12 digits, not {account!r}.")
        try:
            threads = int(given.get("threads", cls.threads))
        except ValueError:
            raise SettingsProblem(f"MATINEE_THREADS must be a whole number, not {given['threads']!r}.") from None
        if threads < 1:
            raise SettingsProblem("MATINEE_THREADS must be at least 1.")
        check_roles = given.get("check_roles", cls.check_roles).lower()
        if check_roles not in {"auto", "always", "never"}:
            raise SettingsProblem(f"MATINEE_CHECK_ROLES must be auto, always or never, not {check_roles!r}.")
        level = given.get("log_level", cls.log_level).upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise SettingsProblem(f"MATINEE_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}.")
        return cls(
            home=Path(given.get("home", str(cls.home))).absolute(),
            database_url=given.get("database_url"),
            store_url=given.get("store_url"),
            redis_url=given.get("redis_url"),
            datasets=tuple(Path(p) for p in given.get("datasets", "").split(os.pathsep) if p),
            file_roots=tuple(Path(p) for p in given.get("file_roots", "").split(os.pathsep) if p),
            account_id=account,
            threads=threads,
            aws_quotas=given.get("aws_quotas", "").lower() in {"1", "true", "yes"},
            auto_training=_on_or_off("MATINEE_AUTO_TRAINING", given.get("auto_training", "on")),
            keep_versions=_count("MATINEE_KEEP_VERSIONS", given.get("keep_versions", "0")),
            check_roles=check_roles,
            iam_endpoint_url=given.get("iam_endpoint_url"),
            log_level=level,
        )

    @property
    def effective_database_url(self) -> str:
        """The metadata URL: what was given, else SQLite in the home folder."""
        return self.database_url or f"sqlite:///{self.home / 'matinee.db'}"


def _on_or_off(variable: str, text: str) -> bool:
    words = {"on": True, "1": True, "true": True, "yes": True, "off": False, "0": False, "false": False, "no": False}
    if text.lower() not in words:
        raise SettingsProblem(f"{variable} must be on or off, not {text!r}.")
    return words[text.lower()]


def _count(variable: str, text: str) -> int:
    if not text.isdecimal():
        raise SettingsProblem(f"{variable} must be a whole number from 0, not {text!r}.")
    return int(text)
