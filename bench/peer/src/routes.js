// The REST routes that the load generator uses.
import { Router } from "express";
import { hashPassword, issueToken, requireUser } from "./auth.js";
import { Message, User } from "./models.js";

export const routes = Router();

const publicUser = ({ _id, username, email, isOnline, lastSeen, createdAt }) => ({
  _id,
  username,
  email,
  isOnline,
  lastSeen,
  createdAt,
});

routes.post("/auth/register", async (req, res) => {
  const { username, email, password } = req.body;
  const taken = await User.findOne({ $or: [{ email }, { username }] });
  if (taken) return res.status(409).json({ success: false, message: "User already exists" });
  const user = await User.create({ username, email, password: await hashPassword(password) });
  const data = { token: issueToken(user), user: publicUser(user) };
  res.status(201).json({ success: true, message: "User registered successfully", data });
});

routes.get("/messages/unread/count", requireUser, async (req, res) => {
  const unreadCount = await Message.countDocuments({ receiver: req.user._id, isRead: false });
  res.json({ success: true, message: "Unread count fetched successfully", data: { unreadCount } });
});

routes.get("/messages/:userId", requireUser, async (req, res) => {
  const [me, other] = [req.user._id, req.params.userId];
  const newest = await Message.find({ $or: [{ sender: me, receiver: other }, { sender: other, receiver: me }] })
    .sort({ createdAt: -1 })
    .skip(Number(req.query.skip ?? 0))
    .limit(Number(req.query.limit ?? 50))
    .populate("sender receiver", "username isOnline");
  const data = { messages: newest.reverse(), count: newest.length };
  res.json({ success: true, message: "Conversation fetched successfully", data });
});
