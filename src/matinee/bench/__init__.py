"""`matinee bench`: how fast a server of this machine answers, beside a bare one in the same run."""
