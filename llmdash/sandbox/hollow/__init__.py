"""Hollow GPU nodes for any Kubernetes API server.

One process makes Node objects that claim to hold GPUs and then does, over plain HTTP, what a kubelet would do for the
pods bound to them: pull, start, load, become ready, crash, back off, stop. No container ever runs. Everything a reader
can see of such a pod (status, events, logs, metrics, the OpenAI API) is answered by this package, on loopback.
"""
