"""The paper's contrast, from nothing to a picture."""
