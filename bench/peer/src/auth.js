// Tokens and passwords; who calls, for REST and for sockets.
import bcrypt from "bcryptjs";
import jwt from "jsonwebtoken";
import { User } from "./models.js";

const SECRET = process.env.JWT_SECRET ?? "a-secret-of-the-benchmark-only-0123456789";
const BCRYPT_COST = Number(process.env.BCRYPT_COST ?? 10);

export const issueToken = (user) => jwt.sign({ userId: user.id }, SECRET, { expiresIn: "7d" });
export const hashPassword = (password) => bcrypt.hash(password, BCRYPT_COST);

async function authenticate(token) {
  const { userId } = jwt.verify(token, SECRET);
  const user = await User.findById(userId);
  if (!user) throw new Error("user not found");
  return user;
}

export async function requireUser(req, res, next) {
  const token = req.headers.authorization?.replace(/^Bearer /, "");
  try {
    req.user = await authenticate(token);
  } catch {
    return res.status(401).json({ success: false, message: "Not authorized" });
  }
  next();
}

export async function authenticateSocket(socket, next) {
  const { token } = socket.handshake.auth;
  if (!token) return next(new Error("Authentication error: no token provided"));
  try {
    socket.user = await authenticate(token);
  } catch {
    return next(new Error("Authentication error: invalid token"));
  }
  next();
}
