"""What talks to AWS or reasons about it. Here: whether a role and a bucket let the service reach a customer's data."""
