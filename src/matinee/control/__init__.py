"""The control plane: one module for each kind of resource, all of one shape."""
