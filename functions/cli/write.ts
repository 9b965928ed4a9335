// Writes to a stream of the process and waits until it is out. A reader who has left is no fault of anybody's.

/** @throws whatever the system says, but for a closed pipe */
export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  // The stream tells its failure twice, to the callback and as an event; unheard, the event would end the process.
  if (!stream.listeners("error").includes(heard)) stream.on("error", heard);
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      if (error == null || code === "EPIPE" || code === "ERR_STREAM_DESTROYED") resolve();
      else reject(error);
    });
  });
}

function heard(): void {}
