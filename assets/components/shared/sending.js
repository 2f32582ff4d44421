// Sends a file of one's own to the server, and shows how much of it is there.
gnet.sending = (() => {
  // A bar of progress, from 0 to 1.
  function show(bar, part) {
    bar.firstElementChild.style.width = `${100 * part}%`;
    bar.ariaValueNow = String(Math.round(100 * part));
  }

  // PUT `kind`/<name>; the server's answer. `told` hears of the part that has been sent.
  function send(kind, file, told) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", `${kind}/${encodeURIComponent(file.name)}`);
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => told(loaded / total);
      request.onload = () => (request.response ? resolve(request.response) : reject());
      request.onerror = request.onabort = reject;
      request.send(file);
    });
  }

  return { show, send };
})();
