BeforeAll {
    . $PSScriptRoot/Workspace.ps1
    Enter-Workspace
    $manifest = Join-Path (Get-Module SignalHarvester.Backup).ModuleBase 'SignalHarvester.Backup.psd1'

    # The very command of a task, with a schedule that no scheduler knows.
    function Get-TaskText([string] $Name, [string] $More = '') {
        "`$global:LASTEXITCODE = 1; Import-Module '$($manifest -replace "'", "''")'; Invoke-SHBackupSchedule -Name '$Name' -IfDue $More; exit `$global:LASTEXITCODE"
    }

    function Add-Schedule([string] $Name, [string[]] $Database, [string] $Delay = '00:00:00') {
        $folder = New-Item -ItemType Directory -Force (Join-Path $env:XDG_CONFIG_HOME 'shbackup' 'schedules')
        @{
            format_version = 1; name = $Name; backend = 'Cron'; scope = 'User'; registered = '2026-01-01T00:00:00+00:00'; random_delay = $Delay
            trigger = @{ frequency = 'Daily'; at = '02:00:00' }
            job = @{ action = 'Backup'; databases = $Database; backup_directory = (Join-Path $PWD.ProviderPath $Name) }
            command = @{ program = 'pwsh'; arguments = @(); environment = @{} }
        } | ConvertTo-Json -Depth 5 | Set-Content (Join-Path $folder "shbackup-$Name.json")
    }

    $before = $env:XDG_CONFIG_HOME, $env:XDG_STATE_HOME
    $env:XDG_CONFIG_HOME = Join-Path $PWD.ProviderPath 'config'
    $env:XDG_STATE_HOME = Join-Path $PWD.ProviderPath 'state'
    $app = Join-Path $PWD.ProviderPath 'app.db'
    $lost = Join-Path $PWD.ProviderPath 'lost.db'
}

AfterAll {
    $env:XDG_CONFIG_HOME, $env:XDG_STATE_HOME = $before
    Exit-Workspace
}

Describe 'Invoke-SHBackupSchedule' {
    It 'leaves a failure in $LASTEXITCODE' {
        $global:LASTEXITCODE = 0
        Invoke-SHBackupSchedule 'no such schedule' -ErrorAction SilentlyContinue
        $global:LASTEXITCODE | Should -Be 1
    }

    It 'ends the process of a task with its exit code' {
        pwsh -NoProfile -NonInteractive -Command (Get-TaskText 'no such schedule') 2>$null
        $LASTEXITCODE | Should -Be 1
    }

    # Elsewhere schedules do not lie where these variables say.
    It 'ends it with 0 when all went well, with 3 when something did, and with 1 when nothing did' -Skip:(-not $IsLinux) {
        Add-Schedule good $app
        Add-Schedule partial $app, $lost
        Add-Schedule bad $lost
        foreach ($expected in @{ good = 0 }, @{ partial = 3 }, @{ bad = 1 }) {
            $name = "$($expected.Keys)"
            pwsh -NoProfile -NonInteractive -Command (Get-TaskText $name) *> $null
            "$name $LASTEXITCODE" | Should -Be "$name $($expected[$name])"
        }
    }

    It 'is stopped by SIGTERM, which ends the process with 143, and is made up later' -Skip:(-not $IsLinux) {
        Add-Schedule slow $app -Delay '23:59:59'
        $start = [Diagnostics.ProcessStartInfo]::new((Get-Command pwsh -CommandType Application -TotalCount 1).Source)
        '-NoProfile', '-NonInteractive', '-Command', (Get-TaskText slow -More '-Verbose') | ForEach-Object { $start.ArgumentList.Add($_) }
        $start.RedirectStandardOutput = $start.RedirectStandardError = $true
        $process = [Diagnostics.Process]::Start($start)

        # A signal before the wait has nothing to stop, and ends the process without a word.
        do { $line = $process.StandardOutput.ReadLine() } until ($null -eq $line -or $line -like '*is delayed by*')
        $line | Should -Not -BeNullOrEmpty
        kill -TERM $process.Id
        $process.WaitForExit(20000) | Should -BeTrue
        $process.ExitCode | Should -Be 143
        $process.StandardError.ReadToEnd() + $process.StandardOutput.ReadToEnd() | Should -BeLike '*was stopped by a signal*'
        Join-Path $env:XDG_STATE_HOME 'shbackup' 'schedules' 'shbackup-slow.state.json' | Should -Not -Exist
    }
}
