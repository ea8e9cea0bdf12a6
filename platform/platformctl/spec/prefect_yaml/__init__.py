"""prefect.yaml: what it declares, and what Prefect would refuse of it, found before anything is built or started."""
