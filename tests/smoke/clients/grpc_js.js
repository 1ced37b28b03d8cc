// One inference with @grpc/grpc-js, whose messages @grpc/proto-loader reads from the proto file.
// Usage: grpc_js.js PROTO ADDRESS, the request as JSON on the standard input; the answer as JSON on the output.
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const fs = require('fs');

const [proto, address] = process.argv.slice(2);
const definition = loader.loadSync(proto, { keepCase: true, longs: Number, bytes: String });
const { inference } = grpc.loadPackageDefinition(definition);
const client = new inference.GRPCInferenceService(address, grpc.credentials.createInsecure());
const request = JSON.parse(fs.readFileSync(0, 'utf8'));
request.raw_input_contents = request.raw_input_contents.map((text) => Buffer.from(text, 'base64'));

client.ModelInfer(request, { deadline: Date.now() + 20000 }, (error, response) => {
  const answer = error ? { code: error.code, message: error.details } : response;
  process.stdout.write(JSON.stringify(answer));
  client.close();
});
