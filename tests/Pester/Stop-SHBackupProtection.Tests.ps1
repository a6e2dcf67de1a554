Describe 'Stop-SHBackupProtection' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'has nothing to stop where nothing was protected; that it stops is in the spec of Start-SHBackupProtection' {
        Stop-SHBackupProtection -BackupDirectory ./backups | Should -BeNullOrEmpty
    }
}
