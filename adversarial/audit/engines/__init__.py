"""Where the work of an audit is done: in this process, or on a cluster."""
