// Before all journeys: one server with a known world, one that has seen nothing. Tests read their addresses from the
// environment.
import { startServer, type Server } from './server.ts';
import { seed } from './world.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const servers: Server[] = [];
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    const seeded = await startServer('seeded');
    servers.push(seeded);
    const empty = await startServer('empty');
    servers.push(empty);
    await seed(seeded);
    process.env.SEEDED_SERVER = JSON.stringify(seeded);
    process.env.EMPTY_SERVER = JSON.stringify(empty);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
