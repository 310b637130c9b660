// Reads {"files": [...]} from standard input and writes what hyparquet makes of
// these Parquet files: the columns' logical types, file by file, and the rows of
// all of them, one JSON object each. hyparquet rounds decimals to doubles and
// times to milliseconds, so these are read as the integers that they are stored
// as, too, and written as exact text.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { readFileSync, writeFileSync } from "node:fs";

const leafType = ({ type, logical_type: logical }) => {
  switch (logical?.type) {
    case "STRING": return type === "BYTE_ARRAY" ? "utf8" : `${type} as text`;
    case "DATE": return type === "INT32" ? "date32" : `${type} as date`;
    case "DECIMAL": return `decimal(${logical.precision},${logical.scale})`;
    case "TIMESTAMP":
      return type === "INT64" && logical.isAdjustedToUTC && logical.unit === "MICROS" ? "timestamp" : JSON.stringify(logical);
    case "INTEGER": return type === "INT64" && logical.isSigned ? "int64" : JSON.stringify(logical);
    case undefined: return { DOUBLE: "float64", BOOLEAN: "bool", INT64: "int64" }[type] ?? type;
    default: return JSON.stringify(logical);
  }
};

// columnsOf walks the schema, which lists each node before its children.
const columnsOf = (schema) => {
  let at = 1;
  const column = () => {
    const node = schema[at++];
    if (!node.num_children) return [node.name, leafType(node)];
    const children = Array.from({ length: node.num_children }, column);
    if (node.logical_type?.type === "LIST") return [node.name, `list(${children[0][1]})`];
    return [node.name, children.length === 1 ? children[0][1] : "group"];
  };
  return Object.fromEntries(Array.from({ length: schema[0].num_children }, column));
};

const integer = (value) => {
  if (!(value instanceof Uint8Array)) return BigInt(value);
  return BigInt.asIntN(8 * value.length, value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
};

const decimalText = (unscaled, scale) => {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return (unscaled < 0n ? "-" : "") + digits.slice(0, point) + (scale > 0 ? "." + digits.slice(point) : "");
};

const timeText = (micros) => {
  const second = new Date(Number((micros - (((micros % 1000000n) + 1000000n) % 1000000n)) / 1000n)).toISOString().slice(0, 19);
  return `${second}.${String(((micros % 1000000n) + 1000000n) % 1000000n).padStart(6, "0")}Z`;
};

// exact is a value's exact text, if what hyparquet itself makes of it agrees.
const exact = (type, made, stored) => {
  if (stored === null || stored === undefined) {
    if (made !== null && made !== undefined) throw new Error(`${made} where nothing is stored`);
    return null;
  }
  const unscaled = integer(stored);
  if (type === "timestamp") {
    if (Math.abs(made.getTime() - Number(unscaled) / 1000) >= 1) throw new Error(`${made} of ${unscaled}`);
    return timeText(unscaled);
  }
  const text = decimalText(unscaled, Number(type.match(/,(\d+)\)$/)[1]));
  if (Math.abs(made - Number(text)) > Math.abs(made) * 1e-12) throw new Error(`${made} of ${text}`);
  return text;
};

const readFile = async (name) => {
  const file = await asyncBufferFromFile(name);
  const types = columnsOf((await parquetMetadataAsync(file)).schema);
  const rows = await parquetReadObjects({ file, compressors });
  const metadata = await parquetMetadataAsync(file);
  for (const node of metadata.schema) {
    if (["DECIMAL", "TIMESTAMP"].includes(node.logical_type?.type)) delete node.logical_type, delete node.converted_type;
  }
  const columns = Object.keys(types).filter((c) => types[c] === "timestamp" || types[c].startsWith("decimal"));
  const stored = await parquetReadObjects({ file, metadata, compressors, columns, utf8: false });
  rows.forEach((row, i) => {
    for (const c of columns) row[c] = exact(types[c], row[c], stored[i][c]);
    for (const c of Object.keys(types).filter((c) => types[c] === "date32")) row[c] = row[c]?.toISOString().slice(0, 10) ?? null;
  });
  return { types, rows };
};

try {
  const { files } = JSON.parse(readFileSync(0, "utf8"));
  const read = [];
  for (const file of files) read.push(await readFile(file));
  const rows = read.flatMap((file) => file.rows);
  writeFileSync(1, JSON.stringify({ types: read.map((file) => file.types), rows }, (_, v) => (typeof v === "bigint" ? String(v) : v)));
} catch (error) {
  writeFileSync(2, String(error.stack ?? error));
  process.exitCode = 1;
}
