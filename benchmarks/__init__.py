"""Races: how fast RGLab is, beside what else would do the same work, and what bounds it."""
