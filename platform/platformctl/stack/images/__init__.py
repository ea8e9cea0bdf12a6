"""Images: the build context of each, and the tag that follows from it."""
