// What the vendor's page "Jobs" shows under Pagination and Export Job Results:
// pages are asked for one after another until one is short or the total is
// reached, all jobs are kept in memory, the completed ones are mapped to
// records, and a CSV writer turns these into one file. Nested values come out as
// String makes them. BASE_URL and OUT say where from and where to.
import { appendFile, writeFile } from "node:fs/promises";

const { BASE_URL, OUT } = process.env;

async function queryJobs({ limit, offset }) {
  const params = new URLSearchParams();
  if (limit) params.append("limit", limit.toString());
  if (offset) params.append("offset", offset.toString());
  const response = await fetch(`${BASE_URL}/documents?${params}`, {
    headers: { Authorization: "Bearer sk_test_bench" },
  });
  return response.json();
}

async function getAllJobs() {
  const allJobs = [];
  const limit = 100;
  for (let offset = 0; ; offset += limit) {
    const response = await queryJobs({ limit, offset });
    allJobs.push(...response.jobs);
    if (response.jobs.length < limit || offset + limit >= response.total) return allJobs;
  }
}

const cell = (value) => {
  if (value === undefined || value === null || value === "") return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

const completed = (await getAllJobs()).filter((job) => job.status === "completed");
const fieldNames = new Set();
completed.forEach((job) => Object.keys(job.extracted_data).forEach((field) => fieldNames.add(field)));
const header = [
  { id: "job_id", title: "Job ID" },
  { id: "created_at", title: "Created At" },
  { id: "processing_time_ms", title: "Processing Time (ms)" },
  ...Array.from(fieldNames).map((field) => ({ id: field, title: field })),
];
const records = completed.map((job) => ({
  job_id: job.id,
  created_at: job.created_at,
  processing_time_ms: job.processing_time_ms,
  ...job.extracted_data,
}));
const lines = (rows) => rows.map((row) => header.map(({ id }) => cell(row[id])).join(",") + "\n").join("");
await writeFile(OUT, header.map(({ title }) => cell(title)).join(",") + "\n");
await appendFile(OUT, lines(records));
console.log(`Exported ${records.length} jobs to ${OUT}`);
