"""A Prefect worker of the type `warm`: it starts flow runs by forking a process that has imported everything already.

Nothing is imported here: the zygote is a module of this package, and decides itself what it loads. So is `contract`, which
platforms import where there is no Prefect.
"""
