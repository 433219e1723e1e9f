"""A real Kubernetes control plane on loopback, for tests and the demo.

`build` makes one program of Kubernetes' own Go modules, `plane.ControlPlane` runs its parts as separate processes,
`fixtures` lends a running one to tests, and `record` writes down what it answers for the imitation in the sandbox.
"""
