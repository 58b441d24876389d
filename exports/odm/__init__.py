"""CDISC ODM: metadata, clinical data, signatures, annotations and audit records, streamed in constant memory."""
