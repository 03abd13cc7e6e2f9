// Carries out operations with the JavaScript SDK: each line in is {service, operation, input}, each line out
// {output} or {error: {name, message, modelled}}. Endpoints, region and keys come from the environment.
import { createInterface } from "node:readline";
import * as personalize from "@aws-sdk/client-personalize";
import * as events from "@aws-sdk/client-personalize-events";
import * as runtime from "@aws-sdk/client-personalize-runtime";

const services = {
  personalize: [personalize, new personalize.PersonalizeClient()],
  "personalize-events": [events, new events.PersonalizeEventsClient()],
  "personalize-runtime": [runtime, new runtime.PersonalizeRuntimeClient()],
};

// The SDK wants times as Date; JSON has none.
const withDates = (name, value) =>
  name === "sentAt" || name === "timestamp" ? new Date(value * 1000) : value;

async function carryOut({ service, operation, input }) {
  const [sdk, client] = services[service];
  try {
    const { $metadata, ...output } = await client.send(new sdk[`${operation}Command`](input));
    return { output };
  } catch (error) {
    const known = sdk[error.name];
    return { error: { name: error.name, message: error.message, modelled: Boolean(known) && error instanceof known } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await carryOut(JSON.parse(line, withDates))));
}
