// Socket.IO, as its documentation has a broadcast (`io.emit`) and an echo. `node socket_io.cjs PORT`.
//
// Its own pings, every 25 s inside messages, are spread over five minutes: the load generator reads no messages.

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const server = createServer();
const io = new Server(server, { pingInterval: 300_000, transports: ["websocket"] });

io.on("connection", (socket) => {
  socket.on("echo", (text) => socket.emit("echo", text));
  socket.on("chat message", (text) => io.emit("chat message", text));
});

server.listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 2048 });
