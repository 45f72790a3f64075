// The Socket.IO events. Which sockets a user has is a map in memory.
import { authenticateSocket } from "./auth.js";
import { Message, User } from "./models.js";

const socketsOf = new Map();

function emitToUser(io, userId, event, payload) {
  for (const socketId of socketsOf.get(userId) ?? []) io.to(socketId).emit(event, payload);
}

async function announce(io, userId, isOnline) {
  const lastSeen = new Date();
  await User.findByIdAndUpdate(userId, { isOnline, lastSeen });
  io.emit("user_status", { userId, isOnline, lastSeen });
}

async function arrive(io, userId, socketId) {
  const known = socketsOf.get(userId);
  if (known) return known.add(socketId);
  socketsOf.set(userId, new Set([socketId]));
  await announce(io, userId, true);
}

async function leave(io, userId, socketId) {
  const known = socketsOf.get(userId);
  known?.delete(socketId);
  if (known?.size) return;
  socketsOf.delete(userId);
  await announce(io, userId, false);
}

async function sendMessage(io, socket, { receiverId, content, messageType, tempId }) {
  if (!receiverId || !content?.trim()) throw new Error("Receiver and content are required");
  const receiver = await User.findById(receiverId);
  if (!receiver) throw new Error("Receiver not found");
  const created = await Message.create({ sender: socket.user._id, receiver: receiverId, content, messageType });
  const message = await created.populate("sender receiver", "username isOnline");
  socket.emit("message_sent", { message, tempId });
  emitToUser(io, receiverId, "receive_message", { message });
  return { message, tempId };
}

export function serveSockets(io) {
  io.use(authenticateSocket);
  io.on("connection", (socket) => {
    const userId = socket.user.id;
    const log = (error) => console.error(`presence of ${userId}: ${error.message}`);
    arrive(io, userId, socket.id).catch(log);

    socket.on("send_message", async (payload, ack) => {
      try {
        const sent = await sendMessage(io, socket, payload);
        ack?.({ ok: true, ...sent });
      } catch (error) {
        socket.emit("error", { message: error.message });
        ack?.({ ok: false, error: { code: "failed", message: error.message } });
      }
    });
    socket.on("typing_start", ({ receiverId }) => emitToUser(io, receiverId, "user_typing", { userId, isTyping: true }));
    socket.on("typing_stop", ({ receiverId }) => emitToUser(io, receiverId, "user_typing", { userId, isTyping: false }));
    socket.on("disconnect", () => leave(io, userId, socket.id).catch(log));
  });
}
