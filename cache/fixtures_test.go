package cache_test

const someJob = `{"id":"job_1","status":"completed","created_at":"2026-11-22T10:00:00Z","extracted_data":{"total":1.50}}`
