using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>Chromium without a window, spoken to by its own protocol: a page can forbid all scripts, and is asked all the same.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Listening = "DevTools listening on ";

    private readonly TempFolder profile = new(plain: true);
    private readonly Process process;
    private readonly ClientWebSocket socket = new();
    private int calls;

    private Browser(string program) => process = Process.Start(new ProcessStartInfo(
        program,
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0", $"--user-data-dir={profile.Path}",
            "about:blank",
        ])
    {
        RedirectStandardError = true,
        RedirectStandardOutput = true,
    })!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts it; skips the test where it is not installed.</summary>
    public static async Task<Browser> StartAsync()
    {
        _ = Tool.Require("chromium");
        var browser = new Browser(Tool.Find("chromium")!);
        string? address = null;
        while (address is null && await browser.process.StandardError.ReadLineAsync(Stop) is { } line)
        {
            address = line.StartsWith(Listening, StringComparison.Ordinal) ? line[Listening.Length..] : null;
        }

        Assert.NotNull(address);
        _ = browser.process.StandardError.BaseStream.CopyToAsync(Stream.Null, Stop);
        _ = browser.process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, Stop);
        using var client = new HttpClient();
        var window = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{new Uri(address).Port}/json/new?about:blank");
        using var opened = await client.PutAsync(new Uri(window), null, Stop);
        var target = JsonNode.Parse(await opened.Content.ReadAsStringAsync(Stop))!;
        await browser.socket.ConnectAsync(new Uri((string)target["webSocketDebuggerUrl"]!), Stop);
        return browser;
    }

    /// <summary>Shows a file in a window of a width, in light or dark.</summary>
    public async Task ShowAsync(string path, int width, bool isDark)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new JsonObject
        {
            ["width"] = width,
            ["height"] = 900,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = false,
        });
        await CallAsync("Emulation.setEmulatedMedia", new JsonObject
        {
            ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" }),
        });
        await CallAsync("Page.navigate", new JsonObject { ["url"] = "file://" + string.Join('/', path.Split('/').Select(Uri.EscapeDataString)) });
        await AskAsync("new Promise(done => document.readyState === 'complete' ? done(true) : addEventListener('load', () => done(true)))");
    }

    /// <summary>Evaluates an expression in the page.</summary>
    public async Task<JsonNode?> AskAsync(string expression)
    {
        var answer = await CallAsync(
            "Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true });
        Assert.True(answer["exceptionDetails"] is null, answer["exceptionDetails"]?.ToJsonString());
        return answer["result"]!["value"];
    }

    /// <summary>Takes a picture of the whole page.</summary>
    public async Task<byte[]> PictureAsync() => Convert.FromBase64String(
        (string)(await CallAsync("Page.captureScreenshot", new JsonObject { ["captureBeyondViewport"] = true }))["data"]!);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        profile.Dispose();
    }

    private async Task<JsonNode> CallAsync(string method, JsonObject parameters)
    {
        var id = ++calls;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        await socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, Stop);
        while (true)
        {
            // Events come in between.
            var answer = await ReceiveAsync();
            if ((int?)answer["id"] == id)
            {
                Assert.Null(answer["error"]);
                return answer["result"]!;
            }
        }
    }

    private async Task<JsonNode> ReceiveAsync()
    {
        using var text = new MemoryStream();
        var buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer, Stop);
            text.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(text.ToArray())!;
    }
}
