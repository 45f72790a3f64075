// Connects to MongoDB, then serves REST and Socket.IO on one port until SIGTERM.
import { createServer } from "node:http";
import cors from "cors";
import express from "express";
import mongoose from "mongoose";
import { Server } from "socket.io";
import { routes } from "./routes.js";
import { serveSockets } from "./sockets.js";

const uri = process.env.MONGODB_URI ?? "mongodb://127.0.0.1:27017/peer?replicaSet=rs0&w=majority&journal=true";
const port = Number(process.env.PORT ?? 3000);

const app = express();
app.use(cors());
app.use(express.json());
app.get("/health/ready", (_req, res) => res.json({ status: "ok" }));
app.use("/api", routes);
app.use((error, _req, res, _next) => {
  console.error(error);
  res.status(500).json({ success: false, message: error.message });
});

const server = createServer(app);
const io = new Server(server, { cors: { origin: "*" } });
serveSockets(io);

await mongoose.connect(uri);
await mongoose.connection.asPromise();
server.listen(port, "127.0.0.1", () => console.log(`peer: port ${port}, pid ${process.pid}`));

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(0));
