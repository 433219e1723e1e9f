"""The try-it-out cluster: what stands in for machines, GPUs and runtimes when nobody has any.

The sandbox is a cluster and knows nothing of the applications that use it.
"""
