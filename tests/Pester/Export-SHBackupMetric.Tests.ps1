Describe 'Export-SHBackupMetric' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        New-SHBackup ./app.db | Out-Null
    }
    AfterEach { Exit-Workspace }

    It 'emits the text that Prometheus gets' {
        Export-SHBackupMetric | Should -Match 'backup_runs_total\{backup_type="full",status="success"\} 1'
    }

    It 'writes it to a file, with LF at the ends of lines' {
        Export-SHBackupMetric -Path ./shbackup.prom -ExpectedInterval 1d
        $text = Get-Content ./shbackup.prom -Raw
        $text | Should -Match 'shbackup_expected_interval_seconds\{.*\} 86400'
        $text | Should -Not -Match "`r"
    }

    It 'writes nothing with -WhatIf' {
        Export-SHBackupMetric -Path ./unwritten.prom -WhatIf
        './unwritten.prom' | Should -Not -Exist
    }

    It 'names a gateway that does not answer' {
        { Export-SHBackupMetric -PushGateway http://127.0.0.1:1 -ErrorAction Stop } | Should -Throw -ErrorId 'MetricPushFailed,*'
    }
}
