/**
 * The whole text of an answer, however it is sent: a container that answers without end must not fill our memory.
 * @throws Error beyond `bytesMax`; the rest is not read
 */
export async function textAtMost(response: Pick<Response, "body">, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
