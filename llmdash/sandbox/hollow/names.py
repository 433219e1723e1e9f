"""Names that other programs read: annotations and labels of the sandbox."""

SIMULATED = "llmdash.io/simulated"
"""Label of every node made here, always "true"."""

RUNTIME = "sandbox.llmdash.io/runtime"
"""Annotation of pods and nodes: ``host:port`` where their simulated HTTP endpoints answer."""

GPUS = "sandbox.llmdash.io/gpus"
"""Annotation of pods: the indexes of the GPUs they hold on their node, ``0,1``."""

FAIL = "sandbox.llmdash.io/fail"
"""Annotation that a person puts on a pod to provoke ``image``, ``crash``, ``oom``, ``cuda-oom`` or ``hang``.

The three in the middle also strike a pod that runs already; ``image`` and ``hang`` matter at its next start."""

TRAFFIC = "sandbox.llmdash.io/traffic"
"""Annotation of a pod: ``none`` keeps its runtime idle."""

LOST = "sandbox.llmdash.io/lost"
"""Annotation of a node: "true" cuts its heartbeats and freezes its pods until it is removed."""
