// `ws`, as its README has a broadcast to all clients, the sender included, and an echo. `node ws.cjs PORT`.

const { WebSocket, WebSocketServer } = require("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 2048 });

server.on("connection", (socket, request) => {
  socket.on("error", console.error);
  socket.on("message", (data, isBinary) => {
    if (request.url === "/echo") {
      socket.send(data, { binary: isBinary });
      return;
    }
    server.clients.forEach((client) => {
      if (client.readyState === WebSocket.OPEN) {
        client.send(data, { binary: isBinary });
      }
    });
  });
});
