"""Where finished answers are kept: the protocol, and one file a backend."""
