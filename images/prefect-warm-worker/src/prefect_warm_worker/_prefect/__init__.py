"""All that is touched of what Prefect keeps private, in one folder; a test for each supported version guards it."""
