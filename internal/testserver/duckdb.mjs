// Reads {"sql": "..."} from standard input, runs it in a DuckDB of its own, and
// writes the last statement's rows as a JSON array of arrays of text. Null is
// written as NULL, nested values as JSON.
import { DuckDBInstance } from "@duckdb/node-api";
import { readFileSync, writeFileSync } from "node:fs";

const text = (value) =>
  value === null ? "NULL" : typeof value === "object" ? JSON.stringify(value) : String(value);

try {
  const { sql } = JSON.parse(readFileSync(0, "utf8"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const reader = await connection.runAndReadAll(sql);
  writeFileSync(1, JSON.stringify(reader.getRowsJson().map((row) => row.map(text))));
} catch (error) {
  writeFileSync(2, String(error.message));
  process.exitCode = 1;
}
