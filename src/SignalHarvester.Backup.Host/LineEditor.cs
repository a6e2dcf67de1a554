using System.Text;

namespace SignalHarvester.Backup.Host;

/// <summary>Reads one line from the terminal, with cursor keys, history and completion, or without echo.</summary>
internal sealed class LineEditor(Terminal terminal, Keyboard keyboard)
{
    private readonly StringBuilder line = new();
    private readonly List<string> history = [];
    private string prompt = string.Empty;
    private bool secret;
    private int cursor;
    private int cursorRow;

    /// <summary>Gives the line and the cursor that the next Tab makes of these.</summary>
    /// <param name="text">The line so far.</param>
    /// <param name="position">The cursor in it.</param>
    public delegate (string Text, int Position) Completer(string text, int position);

    /// <summary>Asks for a line and remembers it for the Up key.</summary>
    public string? ReadCommand(string promptText, Completer completer, CancellationToken cancellation)
    {
        string? command = this.Read(promptText, isSecret: false, completer, cancellation);
        if (!string.IsNullOrWhiteSpace(command) && (history.Count == 0 || history[^1] != command))
        {
            history.Add(command);
        }

        return command;
    }

    /// <summary>Asks for a line.</summary>
    /// <returns>The line, or null at the end of the input (Ctrl+D in an empty line).</returns>
    /// <exception cref="OperationCanceledException">The question was given up.</exception>
    public string? Read(string promptText, bool isSecret, CancellationToken cancellation) =>
        this.Read(promptText, isSecret, completer: null, cancellation);

    private string? Read(string promptText, bool isSecret, Completer? completer, CancellationToken cancellation)
    {
        line.Clear();
        cursor = 0;
        cursorRow = 0;
        secret = isSecret;
        prompt = promptText;
        int recalled = history.Count;
        terminal.HoldProgress();
        try
        {
            Keyboard.TurnEchoOff();
            terminal.Ask(promptText);
            while (true)
            {
                ConsoleKeyInfo key = keyboard.ReadKey(cancellation);
                switch (key.Key)
                {
                    case ConsoleKey.Enter:
                        this.MoveTo(line.Length);
                        return line.ToString();
                    case ConsoleKey.D when key.Modifiers == ConsoleModifiers.Control && line.Length == 0:
                        return null;
                    case ConsoleKey.Tab when completer is not null:
                        (string completed, int position) = completer(line.ToString(), cursor);
                        this.Replace(completed, position);
                        break;
                    case ConsoleKey.UpArrow when completer is not null && recalled > 0:
                        this.Replace(history[--recalled]);
                        break;
                    case ConsoleKey.DownArrow when completer is not null && recalled < history.Count:
                        recalled++;
                        this.Replace(recalled < history.Count ? history[recalled] : string.Empty);
                        break;
                    default:
                        this.Edit(key);
                        break;
                }
            }
        }
        finally
        {
            terminal.Ask("\n");
            terminal.ReleaseProgress();
        }
    }

    private void Edit(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow:
                this.MoveTo(this.Before(cursor));
                break;
            case ConsoleKey.RightArrow:
                this.MoveTo(this.After(cursor));
                break;
            case ConsoleKey.Home:
                this.MoveTo(0);
                break;
            case ConsoleKey.End:
                this.MoveTo(line.Length);
                break;
            case ConsoleKey.Escape:
                this.Replace(string.Empty);
                break;
            case ConsoleKey.Backspace:
                this.Remove(this.Before(cursor), cursor);
                break;
            case ConsoleKey.Delete:
                this.Remove(cursor, this.After(cursor));
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    line.Insert(cursor, key.KeyChar);
                    cursor++;
                    this.Show();
                }

                break;
        }
    }

    private int Before(int index) =>
        index == 0 ? 0 : index - (char.IsLowSurrogate(line[index - 1]) && index > 1 ? 2 : 1);

    private int After(int index) =>
        index == line.Length ? index : index + (char.IsHighSurrogate(line[index]) && index + 1 < line.Length ? 2 : 1);

    private void MoveTo(int index)
    {
        cursor = index;
        this.Show();
    }

    private void Remove(int from, int to)
    {
        line.Remove(from, to - from);
        this.MoveTo(from);
    }

    private void Replace(string text) => this.Replace(text, text.Length);

    private void Replace(string text, int position)
    {
        line.Clear().Append(text);
        this.MoveTo(position);
    }

    // Draws the whole line again from its first column on, as it may have grown or shrunk by rows.
    private void Show()
    {
        if (secret)
        {
            return;
        }

        int columns = Terminal.Columns;
        string text = line.ToString();
        if (!terminal.CanMoveCursor)
        {
            terminal.AskRaw($"\r{prompt[(prompt.LastIndexOf('\n') + 1)..]}{text} \b");
            return;
        }

        int start = CellWidth.Of(prompt.AsSpan(prompt.LastIndexOf('\n') + 1)) % columns;
        int end = start + CellWidth.Of(text);
        int target = start + CellWidth.Of(text.AsSpan(0, cursor));

        StringBuilder drawing = new();
        Up(drawing, cursorRow);
        drawing.Append('\r');
        Forward(drawing, start);
        drawing.Append(text);
        if (end % columns == 0 && text.Length > 0)
        {
            // A terminal wraps only when the next character comes.
            drawing.Append(" \r");
        }

        drawing.Append("\x1b[J");
        Up(drawing, (end / columns) - (target / columns));
        drawing.Append('\r');
        Forward(drawing, target % columns);
        cursorRow = target / columns;
        terminal.AskRaw(drawing.ToString());
    }

    private static void Up(StringBuilder drawing, int rows) => Move(drawing, rows, 'A');

    private static void Forward(StringBuilder drawing, int columns) => Move(drawing, columns, 'C');

    private static void Move(StringBuilder drawing, int count, char direction)
    {
        if (count > 0)
        {
            drawing.Append(System.Globalization.CultureInfo.InvariantCulture, $"\x1b[{count}{direction}");
        }
    }
}
