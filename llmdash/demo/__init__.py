"""`make demo`: llmdash with everything around it, started by one command and stopped by Ctrl-C.

`place` says where things are, `state` and `prepare` set them up, `processes` is the table of what runs, `run` runs it.
"""
