"""A module beside the flows, that one of them imports."""

NAME = "beside"
