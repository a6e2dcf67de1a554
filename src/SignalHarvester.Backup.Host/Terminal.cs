using System.Management.Automation;
using System.Text;

namespace SignalHarvester.Backup.Host;

/// <summary>
/// Both output streams under one lock, with the progress below the text. Cmdlets of several
/// runspaces may write at once; the progress is drawn by a timer, so that it neither floods a
/// slow terminal nor misses the last news before a long step.
/// </summary>
internal sealed class Terminal : IDisposable
{
    // Wider than any line: a pipe or a file has no columns at which to wrap.
    private const int UnboundedColumns = 1 << 20;
    private const int FallbackColumns = 80;
    private static readonly TimeSpan DrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly ProgressLines progress = new();
    private readonly OutputStream output;
    private readonly OutputStream error;
    private readonly bool drawsProgress;
    private readonly Timer timer;
    private bool timerRuns;
    private bool stale;
    private bool atLineStart = true;
    private int holds;
    private int drawnLines;

    /// <summary>Opens the streams of the process.</summary>
    public Terminal()
    {
        UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
        Console.OutputEncoding = utf8;
        if (Console.IsInputRedirected)
        {
            Console.InputEncoding = utf8;
        }

        bool ansi = AnsiSupport.Enable();
        bool colour = ansi && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        output = new OutputStream(Console.Out, !Console.IsOutputRedirected, colour && !Console.IsOutputRedirected);
        error = new OutputStream(Console.Error, !Console.IsErrorRedirected, colour && !Console.IsErrorRedirected);
        drawsProgress = ansi && error.IsTerminal;
        this.CanAsk = !Console.IsInputRedirected && (output.IsTerminal || error.IsTerminal);
        this.CanMoveCursor = ansi;
        timer = new Timer(_ => this.Draw());
    }

    /// <summary>Gets whether a person can see a question and answer it.</summary>
    public bool CanAsk { get; }

    /// <summary>Gets whether the terminal understands escape sequences that move the cursor.</summary>
    public bool CanMoveCursor { get; }

    /// <summary>Gets whether any of the streams shows colours.</summary>
    public bool HasColour => output.HasColour || error.HasColour;

    /// <summary>Gets or sets whether standard output's text goes to standard error, as while an error is rendered.</summary>
    public bool OutGoesToError { get; set; }

    /// <summary>Gets the columns at which text for standard output wraps.</summary>
    public int OutputColumns => output.IsTerminal ? Columns : UnboundedColumns;

    /// <summary>Gets the columns of the terminal.</summary>
    public static int Columns => Console.WindowWidth is > 1 and int columns ? columns : FallbackColumns;

    /// <summary>Writes to standard output.</summary>
    public void Out(string text) => this.Write(this.OutGoesToError ? error : output, text);

    /// <summary>Writes to standard error.</summary>
    public void Error(string text) => this.Write(error, text);

    /// <summary>Writes where the person who answers looks, whichever stream that is.</summary>
    public void Ask(string text) => this.Write(this.Questions, text);

    /// <summary>Writes cursor movements and edited text where the person who answers looks.</summary>
    public void AskRaw(string text)
    {
        lock (gate)
        {
            this.Questions.WriteRaw(text);
        }
    }

    /// <summary>Shows progress, if standard error is a terminal.</summary>
    public void Progress(long source, ProgressRecord record)
    {
        if (!drawsProgress)
        {
            return;
        }

        lock (gate)
        {
            progress.Update(source, record);
            stale = true;
            if (progress.IsEmpty)
            {
                this.Erase();
            }
            else if (!timerRuns)
            {
                timerRuns = true;
                timer.Change(DrawInterval, DrawInterval);
            }
        }
    }

    /// <summary>Ends all progress, as at the end of a pipeline.</summary>
    public void EndProgress()
    {
        lock (gate)
        {
            progress.Clear();
            this.Erase();
        }
    }

    /// <summary>Keeps progress off the screen, while somebody else writes to it, until <see cref="ReleaseProgress"/>.</summary>
    public void HoldProgress()
    {
        lock (gate)
        {
            holds++;
            this.Erase();
        }
    }

    /// <summary>Ends what <see cref="HoldProgress"/> began.</summary>
    public void ReleaseProgress()
    {
        lock (gate)
        {
            holds--;
            stale = true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        timer.Dispose();
        this.EndProgress();
    }

    private OutputStream Questions => output.IsTerminal ? output : error;

    private void Write(OutputStream stream, string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        lock (gate)
        {
            if (stream.IsTerminal)
            {
                this.Erase();
                atLineStart = text[^1] == '\n';
            }

            stream.Write(text);
        }
    }

    private void Draw()
    {
        lock (gate)
        {
            if (progress.IsEmpty)
            {
                timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                timerRuns = false;
            }
            else if (stale && atLineStart && holds == 0)
            {
                IReadOnlyList<string> lines = progress.Render(Columns);
                this.Erase();
                error.WriteRaw(string.Join('\n', lines));
                drawnLines = lines.Count;
                stale = false;
            }
        }
    }

    private void Erase()
    {
        if (drawnLines > 0)
        {
            string up = drawnLines > 1 ? FormattableString.Invariant($"\x1b[{drawnLines - 1}A") : string.Empty;
            error.WriteRaw($"\r{up}\x1b[J");
            drawnLines = 0;
            stale = true;
        }
    }
}
