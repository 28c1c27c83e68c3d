/** A collector on loopback: takes OTLP over HTTP as protobuf, and reads of it what the tests look at. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: Record<string, unknown>;
  /** 2: error. */
  status: number;
  ms: number;
}

export interface ReceivedPoint {
  name: string;
  attributes: Record<string, unknown>;
  /** The value, or of a histogram the sum. */
  value: number;
}

export async function startReceiver({ status = 200 }: { status?: number } = {}) {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const resources: Record<string, unknown>[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    headers.push(request.headers);
    if (status === 200) {
      const { 1: parts = [] } = fields(body);
      for (const part of parts.map(fields)) {
        resources.push(attributesOf(fields(part[1]?.[0]), 1));
        const inner = (part[2] ?? []).flatMap((scope) => fields(scope)[2] ?? []);
        if (request.url === '/v1/traces') spans.push(...inner.map(spanOf));
        else points.push(...inner.flatMap(pointsOf));
      }
    }
    response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, spans, points, resources, headers, close: () => server.close() };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

type Field = Buffer & { number?: number };
type Fields = Record<number, Field[] | undefined>;

/** The fields of a message by their numbers; what is no length-delimited field has its eight bytes, or its number. */
function fields(message: Buffer | undefined): Fields {
  const found: Fields = {};
  let at = 0;
  const varint = () => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = message?.[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (message && at < message.length) {
    const key = varint();
    const kind = key & 7;
    const number = kind === 0 ? varint() : undefined;
    const length = kind === 2 ? varint() : ({ 1: 8, 5: 4 }[kind] ?? 0);
    const field: Field = message.subarray(at, at + length);
    at += length;
    const id = Math.floor(key / 8);
    found[id] = [...(found[id] ?? []), Object.assign(field, { number })];
  }
  return found;
}

const text = (field: Field | undefined) => field?.toString('utf8') ?? '';

function attributesOf(of: Fields, id: number): Record<string, unknown> {
  return Object.fromEntries(
    (of[id] ?? []).map((one) => {
      const { 1: key, 2: value } = fields(one);
      return [text(key?.[0]), anyOf(fields(value?.[0]))];
    }),
  );
}

function anyOf({ 1: string, 2: bool, 3: int, 4: double, 5: list }: Fields): unknown {
  if (string) return text(string[0]);
  if (bool) return bool[0]?.number === 1;
  if (int) return int[0]?.number;
  if (double) return double[0]?.readDoubleLE();
  return (fields(list?.[0])[1] ?? []).map((one) => anyOf(fields(one)));
}

function spanOf(span: Field): ReceivedSpan {
  const of = fields(span);
  const hex = (id: number) => of[id]?.[0]?.toString('hex') ?? '';
  const at = (id: number) => Number(of[id]?.[0]?.readBigUInt64LE() ?? 0n) / 1e6;
  return {
    ...{ name: text(of[5]?.[0]), traceId: hex(1), spanId: hex(2), parentSpanId: hex(4) },
    attributes: attributesOf(of, 9),
    status: fields(of[15]?.[0])[3]?.[0]?.number ?? 0,
    ms: Math.round(at(8) - at(7)),
  };
}

function pointsOf(metric: Field): ReceivedPoint[] {
  const { 1: name, 5: gauge, 7: sum, 9: histogram } = fields(metric);
  const points = fields((gauge ?? sum ?? histogram)?.[0])[1] ?? [];
  return points.map((point) => {
    const of = fields(point);
    const value = histogram
      ? of[5]?.[0]?.readDoubleLE()
      : (of[4]?.[0]?.readDoubleLE() ?? Number(of[6]?.[0]?.readBigInt64LE() ?? 0n));
    return { name: text(name?.[0]), attributes: attributesOf(of, histogram ? 9 : 7), value: value ?? 0 };
  });
}
