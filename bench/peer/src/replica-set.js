// Turns a mongod started with `--replSet rs0` into a replica set of one. Safe to repeat.
import mongoose from "mongoose";

const host = process.argv[2] ?? "127.0.0.1:27017";
const alreadyInitialized = 23;

const connection = await mongoose.createConnection(`mongodb://${host}/?directConnection=true`).asPromise();
const config = { _id: "rs0", members: [{ _id: 0, host }] };
try {
  await connection.db.admin().command({ replSetInitiate: config });
  console.log(`rs0 initiated on ${host}`);
} catch (error) {
  if (error.code !== alreadyInitialized) throw error;
  console.log(`${host} already is a replica set`);
}
await connection.close();
