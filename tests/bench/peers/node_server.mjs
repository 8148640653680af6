// node_server.mjs MODEL PORT: POST /api/classify_digit as a Node program answers it by hand: PNG in, JSON out.
import http from "node:http";
import ort from "onnxruntime-node";
import sharp from "sharp";

const [model, port] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);
const input = session.inputNames[0];
const output = session.outputNames[0];

async function classify(png) {
  const pixels = await sharp(png).greyscale().resize(28, 28, { fit: "fill" }).raw().toBuffer();
  const tensor = new ort.Tensor("float32", Float32Array.from(pixels), [1, 28, 28, 1]);
  const probabilities = Array.from((await session.run({ [input]: tensor }))[output].data);
  const label = probabilities.indexOf(Math.max(...probabilities));
  return { label: String(label), probability: probabilities[label], probabilities };
}

http
  .createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", async () => {
      let status = 200;
      let body;
      try {
        body = await classify(Buffer.concat(parts));
      } catch (error) {
        status = 400;
        body = { error: String(error) };
      }
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    });
  })
  .listen(Number(port), "127.0.0.1");
