"""The lab's server: the API, a folder per feature, and what all its routes share (`http`)."""
