// Reads {"files": [...]} from standard input and writes what Polars makes of
// these Parquet files: the columns' types, file by file, and the rows of all of
// them put together by column names, one JSON object each. Numbers with more
// digits than a double holds, and dates and times, are text.
import pl from "nodejs-polars";
import { readFileSync, writeFileSync } from "node:fs";

const types = {
  String: "utf8", Float64: "float64", Int64: "int64", Bool: "bool", Date: "date32",
  "Datetime(us,UTC)": "timestamp",
};

const typeName = (dtype) => {
  if (dtype.variant === "List") return `list(${typeName(dtype.inner[0].dtype ?? dtype.inner[0])})`;
  const name = String(dtype).replace(/^DataType\((.*)\)$/, "$1");
  return types[name] ?? name.replace(/^Decimal\((\d+),\s*(\d+)\)$/, "decimal($1,$2)");
};

const asText = (name, type) => {
  const column = pl.col(name);
  if (type === "timestamp") return column.date.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
  return type === "date32" || type === "int64" || type.startsWith("decimal") ? column.cast(pl.Utf8) : column;
};

try {
  const { files } = JSON.parse(readFileSync(0, "utf8"));
  const frames = files.map((file) => pl.readParquet(file));
  const all = frames.map((frame) =>
    Object.fromEntries(frame.columns.map((name, i) => [name, typeName(frame.dtypes[i])])));
  const together = pl.concat(frames, { how: "diagonal" });
  const union = Object.assign({}, ...all);
  const rows = together.select(...together.columns.map((name) => asText(name, union[name]).alias(name))).toRecords();
  writeFileSync(1, JSON.stringify({ types: all, rows }));
} catch (error) {
  writeFileSync(2, String(error.stack ?? error));
  process.exitCode = 1;
}
