"""The declarative project file: what should exist, what does, what to do about it, and doing it with boto3 alone."""
