"""Builds an index and keeps it up to date."""

from .build import BuildOptions, BuildReport, Progress, abuild_index, build_index

__all__ = ["BuildOptions", "BuildReport", "Progress", "abuild_index", "build_index"]
