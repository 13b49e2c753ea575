"""The playground: a local web chat that is a full third platform over the same core."""
