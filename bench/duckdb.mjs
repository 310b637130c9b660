// Reads {"statements": [...]} from standard input, runs them one after another
// in a DuckDB of its own, and writes for each how long it took and the rows of
// its answer as text.
import { DuckDBInstance } from "@duckdb/node-api";
import { readFileSync, writeFileSync } from "node:fs";

try {
  const { statements } = JSON.parse(readFileSync(0, "utf8"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const answers = [];
  for (const sql of statements) {
    const begun = performance.now();
    const reader = await connection.runAndReadAll(sql);
    const ms = performance.now() - begun;
    answers.push({ ms, rows: reader.getRowsJson().map((row) => row.map(String)) });
  }
  writeFileSync(1, JSON.stringify(answers));
} catch (error) {
  writeFileSync(2, String(error.message));
  process.exitCode = 1;
}
