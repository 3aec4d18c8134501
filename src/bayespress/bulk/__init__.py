"""Answer the texts of many files, in parallel, in constant memory, and so that it can go on."""

from bayespress.bulk.run import BulkListener, Job, Summary, processors

__all__ = ["BulkListener", "Job", "Summary", "processors"]
