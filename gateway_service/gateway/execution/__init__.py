"""Running a document: parse it, limit it, validate it, execute it; its errors; JSON."""
