// Whoever else can reach this machine has no business in a test: every server listens on loopback only.
const { Server } = require("node:net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (...args) {
  if (typeof args[0] === "number" || /^\d+$/.test(args[0])) {
    const done = args.find((one) => typeof one === "function");
    return listen.call(this, { port: Number(args[0]), host: "127.0.0.1" }, done);
  }
  return listen.apply(this, args);
};
