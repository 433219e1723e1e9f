"""What a person can do next, by what stands in the way. Pure."""

from deployments.choices import Connection, Health, Problem

BY_PROBLEM = {
    Problem.WAIT: "Edit the deployment, or have the cluster's admin lift what stands in the way; it is tried hourly.",
    Problem.BACK_OFF: "Nothing to do: it is tried again by itself.",
    Problem.CLUSTER: "A platform admin has to mend the cluster's credentials, certificate or address.",
    Problem.CONTESTED: "Find out who changes it, then take over, or set the drift policy to leave.",
    Problem.POISON: "Edit the deployment to try again, and look at the workers' log.",
}
OF_A_DELETION = BY_PROBLEM | {
    Problem.WAIT: "Have the cluster's admin lift what stands in the way; it is tried hourly.",
    Problem.POISON: "Look at the workers' log, and have a platform admin remove the objects that are left.",
}
BY_HEALTH = {
    Health.UNKNOWN: "Look at its cluster: what is not heard of cannot be judged.",
    Health.FAILING: "Look at its pods and their logs.",
    Health.WAITING: "Free GPUs, choose another GPU type, or ask for fewer replicas.",
    Health.DEGRADED: "Look at the pods that do not serve.",
}
BY_CONNECTION = {
    Connection.NEVER: "Nothing to do yet: the watcher connects by itself.",
    Connection.CONNECTED: "Look at the watcher: it has not written anything for a while.",
    Connection.UNREACHABLE: "Look at the network and at the API server; llmdash tries again by itself.",
    Connection.REJECTED: "A platform admin has to give new credentials.",
    Connection.CERTIFICATE: "A platform admin has to give the right CA, or the API server a valid certificate.",
    Connection.WRONG: "A platform admin has to correct the address.",
    Connection.OTHER: "A platform admin has to correct the address, or accept the cluster that answers now.",
}
